// Package nodeagent is the program that runs on each node and keeps the node's
// NodePluginReport in line with what inspect finds there: when the kernel tells
// of a change, now and then in case it did not, and once more when a write
// failed. It writes that one object, by server-side apply, and reads nothing of
// the API. There is one goroutine, no cache and no port that it listens at.
package nodeagent
