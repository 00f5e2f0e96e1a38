"""How each venue tells its quotes: one file a venue, pure; `venue_feed` has the connection."""
