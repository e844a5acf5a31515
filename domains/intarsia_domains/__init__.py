"""Domain adapters of intarsia: each turns raw data of one kind into states of the engine, and back."""
