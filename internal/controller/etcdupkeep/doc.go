// Package etcdupkeep keeps Extant's etcd in order: it measures every member,
// defragments one at a time where much of a file is free, and brings an etcd
// that ran out of its quota back to accepting writes. The API server's library
// compacts and does no more. It acts only while all members are healthy, takes
// no backups, and replaces no members.
package etcdupkeep
