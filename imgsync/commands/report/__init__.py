"""`imgsync report`: what a session was, from the records that its two sides have kept."""
