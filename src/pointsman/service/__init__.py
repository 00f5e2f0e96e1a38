"""What `pointsman run` is: the feed, the threads beside the engine, the log."""
