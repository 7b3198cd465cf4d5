"""Any media file → mono float32 samples at 22,050 Hz → 30-second segments."""
