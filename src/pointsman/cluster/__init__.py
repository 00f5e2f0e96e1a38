"""Past one machine: the journal of a desk as a stream on NATS JetStream, and who may send for it.

Used only where REPLICATE_TO is set; without it nothing but `errors` is imported. docs/cluster.md
says what it is for, and ARCHITECTURE why two engines never send for one desk."""
