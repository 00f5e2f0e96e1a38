"""Past one machine: the journal of a desk as a stream on NATS JetStream, and who may send for it.

Used, and imported, only where REPLICATE_TO is set. docs/cluster.md says what it is for, and
ARCHITECTURE why two engines never send for one desk."""
