// Package standalone tests the built server as somebody runs it who has one
// command and nothing else: its data outlives it, and what is wrong with a
// command line is said in one sentence. It has tests only.
package standalone
