package extant

const (
	// LabelOrigin tells where an object comes from.
	LabelOrigin = "extant.dev/origin"
	// OriginBuiltin marks the extension points and policies of the catalogue.
	OriginBuiltin = "builtin"
	// OriginDiscovered marks extensions that discovery made.
	OriginDiscovered = "discovered"
	// OriginDeclared marks extensions that people made.
	OriginDeclared = "declared"

	// AnnotationReconcile with the value "false" makes Extant leave an object alone.
	AnnotationReconcile = "extant.dev/reconcile"
	// AnnotationShipped on a policy that Extant shipped is the digest of the
	// rules as they were shipped: while they are, a newer version of Extant
	// brings them up to date.
	AnnotationShipped = "extant.dev/shipped"

	// ConditionDiscovered tells whether an extension's objects are in the observed cluster.
	ConditionDiscovered = "Discovered"
	// ConditionAvailable tells whether an extension or backend answers.
	ConditionAvailable = "Available"
	// ConditionRecoverable tells whether the cluster gets an extension back without a human.
	ConditionRecoverable = "Recoverable"
	// ConditionCompliant tells whether an extension has no findings of severity
	// Error or Warning that its owner does not accept.
	ConditionCompliant = "Compliant"
	// ConditionCertificateValid tells whether a backend's certificate is valid for its callers.
	ConditionCertificateValid = "CertificateValid"
	// ConditionCompiled tells whether every rule of a policy compiles.
	ConditionCompiled = "Compiled"
	// ConditionEvaluated tells whether every rule of a policy could be evaluated.
	ConditionEvaluated = "Evaluated"
)
