package outage

// classes finds operations of which the same comes.
type classes struct{}

func (c *classes) of(*operation) string { return "" }
