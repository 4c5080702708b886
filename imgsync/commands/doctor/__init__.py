"""Whether a session would work from here, checked part by part; what `imgsync doctor` runs."""
