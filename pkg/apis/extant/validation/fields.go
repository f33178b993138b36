package validation

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/validate/content"
	apimachineryvalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/extant-project/extant/pkg/apis/extant"
)

// validateName is the rule for the names of all kinds: a DNS subdomain.
var validateName = apimachineryvalidation.NameIsDNSSubdomain

// oneOf requires a value of an enumeration.
func oneOf[T ~string](value T, supported []T, path *field.Path) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(path, "one of "+join(supported))}
	}
	if !slices.Contains(supported, value) {
		return field.ErrorList{field.NotSupported(path, value, supported)}
	}
	return nil
}

// optionalOneOf allows the empty value as well.
func optionalOneOf[T ~string](value T, supported []T, path *field.Path) field.ErrorList {
	if value == "" {
		return nil
	}
	return oneOf(value, supported, path)
}

func join[T ~string](values []T) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	return strings.Join(words, ", ")
}

// required refuses the empty value.
func required(value string, path *field.Path) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	return nil
}

// text requires valid UTF-8 of at most so many characters.
func text(value string, most int, path *field.Path) field.ErrorList {
	switch {
	case !utf8.ValidString(value):
		return field.ErrorList{field.Invalid(path, value, "must be valid UTF-8")}
	case utf8.RuneCountInString(value) > most:
		return field.ErrorList{field.TooLongCharacters(path, value, most)}
	}
	return nil
}

// atMost bounds the length of a list.
func atMost[T any](list []T, most int, path *field.Path) field.ErrorList {
	if len(list) > most {
		return field.ErrorList{field.TooMany(path, len(list), most)}
	}
	return nil
}

// eachOf bounds the length of a list and, where it holds, validates each item.
func eachOf[T any](list []T, most int, validate func(T, *field.Path) field.ErrorList, path *field.Path) field.ErrorList {
	errs := atMost(list, most, path)
	if len(errs) > 0 {
		return errs
	}
	for i, item := range list {
		errs = append(errs, validate(item, path.Index(i))...)
	}
	return errs
}

// sentences bounds a list of sentences.
func sentences(list []string, path *field.Path) field.ErrorList {
	errs := atMost(list, 16, path)
	for i, sentence := range list {
		if strings.TrimSpace(sentence) == "" {
			errs = append(errs, field.Required(path.Index(i), "a sentence"))
		}
		errs = append(errs, text(sentence, 1024, path.Index(i))...)
	}
	return errs
}

// webURL requires an absolute http or https URL, or nothing.
func webURL(value string, path *field.Path) field.ErrorList {
	if value == "" {
		return nil
	}
	errs := text(value, 2048, path)
	if u, err := url.Parse(value); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		errs = append(errs, field.Invalid(path, value, "must be an absolute URL that starts with https:// or http://"))
	}
	return errs
}

// resourceName requires a plural, lower-case resource without a subresource.
func resourceName(value string, path *field.Path) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(path, "the plural, lower-case name of a resource")}
	}
	var errs field.ErrorList
	for _, message := range validation.IsDNS1035Label(value) {
		errs = append(errs, field.Invalid(path, value, message))
	}
	return errs
}

// groupName requires an API group, or nothing for the core group.
func groupName(value string, path *field.Path) field.ErrorList {
	if value == "" {
		return nil
	}
	var errs field.ErrorList
	for _, message := range validation.IsDNS1123Subdomain(value) {
		errs = append(errs, field.Invalid(path, value, message))
	}
	return errs
}

// segment requires a part of a URL's path.
func segment(value, what string, path *field.Path) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(path, what)}
	}
	errs := text(value, 253, path)
	for _, message := range content.IsPathSegmentName(value) {
		errs = append(errs, field.Invalid(path, value, message))
	}
	return errs
}

// subresourceName requires a subresource, or nothing.
func subresourceName(value string, path *field.Path) field.ErrorList {
	if value == "" {
		return nil
	}
	var errs field.ErrorList
	for part := range strings.SplitSeq(value, "/") {
		errs = append(errs, segment(part, "the name of a subresource", path)...)
	}
	return errs
}

// namespaceName requires a namespace, or nothing.
func namespaceName(value string, path *field.Path) field.ErrorList {
	if value == "" {
		return nil
	}
	var errs field.ErrorList
	for _, message := range validation.IsDNS1123Label(value) {
		errs = append(errs, field.Invalid(path, value, message))
	}
	return errs
}

// requiredNamespaceName requires a namespace.
func requiredNamespaceName(value string, path *field.Path) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(path, "the name of a namespace")}
	}
	return namespaceName(value, path)
}

// subdomain requires a name as most objects have it.
func subdomain(value string, path *field.Path) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(path, "the name of an object")}
	}
	var errs field.ErrorList
	for _, message := range validateName(value, false) {
		errs = append(errs, field.Invalid(path, value, message))
	}
	return errs
}

// objectReference requires a whole reference to an object.
func objectReference(ref extant.ObjectReference, path *field.Path) field.ErrorList {
	errs := groupName(ref.Group, path.Child("group"))
	errs = append(errs, resourceName(ref.Resource, path.Child("resource"))...)
	errs = append(errs, namespaceName(ref.Namespace, path.Child("namespace"))...)
	switch ref.Name {
	case "":
		errs = append(errs, field.Required(path.Child("name"), "the name of an object"))
	default:
		// RBAC objects have names with ":" and upper case, so that only what
		// every object name obeys is required.
		for _, message := range content.IsPathSegmentName(ref.Name) {
			errs = append(errs, field.Invalid(path.Child("name"), ref.Name, message))
		}
		errs = append(errs, text(ref.Name, 253, path.Child("name"))...)
	}
	return errs
}

// uniqueBy reports the items whose key occurs before.
func uniqueBy[T any, K comparable](list []T, key func(T) K, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	seen := map[K]bool{}
	for i, item := range list {
		k := key(item)
		if seen[k] {
			errs = append(errs, field.Duplicate(path.Index(i), k))
		}
		seen[k] = true
	}
	return errs
}

var conditionStatuses = []metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown}
