package hostfs

import (
	"io/fs"
	"syscall"
	"time"
)

// inode tells a file from all others, and when it was last changed in any way,
// which unlike the time of modification nobody can set back.
func inode(info fs.FileInfo) (device, number uint64, changed time.Time) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, time.Time{}
	}
	return stat.Dev, stat.Ino, time.Unix(stat.Ctim.Unix())
}
