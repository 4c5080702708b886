"""`imgsync invite`: a link for one participant, and its QR code."""
