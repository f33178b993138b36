package inspect

import "unicode/utf8"

// What a report takes, in characters.
const (
	maxText = 253
	maxPath = 4096
)

// fits tells whether a report takes a text.
func fits(text string, most int) bool {
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= most
}
