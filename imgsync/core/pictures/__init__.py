"""What a picture is, and whether it is all there. `web/js/core/pictures` has the same rules."""
