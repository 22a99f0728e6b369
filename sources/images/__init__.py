"""Images: encoding, fingerprints, boxes."""
