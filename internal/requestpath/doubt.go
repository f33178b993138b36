package requestpath

// doubt says what of a JSON value is not known for sure. The zero doubt, and a
// nil one, have none: the value is exactly what it is.
type doubt struct {
	// changes: the value may be another one than is there.
	changes bool
	// appears: where there is no value, there may be one.
	appears bool
	// others: an object may have fields that neither it nor fields names.
	others bool
	// because says for people why.
	because string
	// fields are the doubts of an object's fields, by name.
	fields map[string]*doubt
	// items is the doubt of each item of a list, or of each value of a map whose
	// keys are free.
	items *doubt
}

// none tells whether a value with that doubt is known.
func (d *doubt) none() bool {
	return d == nil || !d.changes && !d.appears && !d.others && len(d.fields) == 0 && d.items == nil
}

// field returns the doubt of an object's field.
func (d *doubt) field(name string) *doubt {
	if d == nil {
		return nil
	}
	if f, ok := d.fields[name]; ok {
		return f
	}
	if d.items != nil {
		return d.items
	}
	if d.others {
		return &doubt{appears: true, because: d.because}
	}
	return nil
}

// at returns the doubt of a path, adding it where it is not there.
func (d *doubt) at(path ...string) *doubt {
	for _, name := range path {
		if d.fields == nil {
			d.fields = map[string]*doubt{}
		}
		if d.fields[name] == nil {
			d.fields[name] = &doubt{}
		}
		d = d.fields[name]
	}
	return d
}

// unsure marks a path as one whose value may appear or change.
func (d *doubt) unsure(because string, path ...string) {
	leaf := d.at(path...)
	leaf.appears, leaf.changes, leaf.because = true, true, because
}

// or returns the doubt of both. Neither is changed.
func (d *doubt) or(other *doubt) *doubt {
	switch {
	case d.none():
		return other
	case other.none():
		return d
	}
	both := &doubt{
		changes: d.changes || other.changes, appears: d.appears || other.appears, others: d.others || other.others,
		because: d.because, items: d.items.or(other.items),
	}
	if both.because == "" {
		both.because = other.because
	}
	if len(d.fields)+len(other.fields) > 0 {
		both.fields = make(map[string]*doubt, len(d.fields)+len(other.fields))
		for name, field := range d.fields {
			both.fields[name] = field.or(other.fields[name])
		}
		for name, field := range other.fields {
			if _, ok := d.fields[name]; !ok {
				both.fields[name] = field
			}
		}
	}
	return both
}

// extends tells whether an object with that doubt may have more fields than it
// has.
func (d *doubt) extends(content map[string]any) bool {
	if d == nil {
		return false
	}
	if d.others {
		return true
	}
	for name, field := range d.fields {
		if _, there := content[name]; !there && field != nil && field.appears {
			return true
		}
	}
	return false
}
