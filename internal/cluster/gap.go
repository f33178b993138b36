package cluster

// GapReason is why something could not be seen.
type GapReason string

const (
	// GapForbidden means: Extant may not read the resource. Decides.
	GapForbidden GapReason = "Forbidden"
	// GapNotServed means: the cluster does not serve the resource. Decides.
	GapNotServed GapReason = "NotServed"
	// GapNotSynced means: the resource has not been read yet. Decides.
	GapNotSynced GapReason = "NotSynced"
	// GapMalformed means: a part of it could not be understood. Decides.
	GapMalformed GapReason = "Malformed"
	// GapNotInDump means: the dump has no such objects and is taken as the whole
	// cluster. Informs.
	GapNotInDump GapReason = "NotInDump"
	// GapAssumed means: something was assumed; the message says what. Informs.
	GapAssumed GapReason = "Assumed"
)

// StaticManifests is the word of gaps for the files beside the API servers, which
// register webhooks and policies that no API shows (KEP-5793).
const StaticManifests = "static manifests"

// Decides tells whether a verdict that depends on the resource is Unknown.
func (r GapReason) Decides() bool {
	switch r {
	case GapForbidden, GapNotServed, GapNotSynced, GapMalformed:
		return true
	default:
		return false
	}
}

// Gap is something that an answer could not see.
type Gap struct {
	// Resource is the resource as <resource>.<group>, or another word for what
	// was not seen, such as "version".
	Resource string
	Reason   GapReason
	// Message says for people what is missing or was assumed.
	Message string
}
