package outage

// Computed returns what the engine keeps of the loss of each extension: another
// value where it was computed again.
func (e *Engine) Computed() map[string]any {
	all := make(map[string]any, len(e.known.of))
	for name, known := range e.known.of {
		if len(known.own) > 0 {
			all[name] = known
		}
	}
	return all
}
