package prober

import (
	"net/netip"
	"slices"
)

// Addresses that are not called unless the operator allows it. A registration
// may name any host, and whoever may write one would have Extant connect to what
// only its own node or process can reach.

// nat64 is where IPv6 carries IPv4 addresses.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// metadataServices are where clouds tell machines their credentials, besides
// 169.254.169.254, which is on the link.
var metadataServices = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),
	netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("168.63.129.16"),
}

// local tells whether an address is no business of a prober.
func local(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	if nat64.Contains(address) {
		bytes := address.As16()
		address = netip.AddrFrom4([4]byte(bytes[12:]))
	}
	return address.IsLoopback() || address.IsLinkLocalUnicast() || address.IsMulticast() || address.IsUnspecified() ||
		slices.Contains(metadataServices, address)
}
