package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/kube-openapi/pkg/schemaconv"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	smdschema "sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// The smd.* operations answer with structured-merge-diff. A request names its types by OpenAPI
// definitions ("definitions", "type") or, without them, means the deduced type; its "cases" are
// answered one by one, each with its result or {"error": MESSAGE}.
func init() {
	registerTyped("smd.fieldset", smdFieldSet)
	registerTyped("smd.validate", smdValidate)
	registerTyped("smd.merge", smdMerge)
	registerTyped("smd.compare", smdCompare)
	registerTyped("smd.remove", smdRemove)
	registerTyped("smd.named", smdNamed)
	registerTyped("smd.reconcile", smdReconcile)
	registerTyped("smd.sets", smdSets)
}

type typedCase struct {
	Value, Left, Right json.RawMessage
	Set, A, B          json.RawMessage
	Duplicates         bool
	Keys               bool
}

type typedOperation func(t typed.ParseableType, c typedCase) (any, error)

func registerTyped(name string, op typedOperation) {
	register(name, func(raw json.RawMessage) (any, error) {
		var request struct {
			Definitions json.RawMessage
			Preserve    bool
			Type        string
			Cases       []typedCase
		}
		if err := json.Unmarshal(raw, &request); err != nil {
			return nil, err
		}
		t := typed.DeducedParseableType
		if len(request.Definitions) > 0 {
			parser, err := parserOf(request.Definitions, request.Preserve)
			if err != nil {
				return nil, err
			}
			t = parser.Type(request.Type)
		}
		return each(request.Cases, func(c typedCase) (any, error) { return op(t, c) }), nil
	})
}

// each answers the cases one by one; an error, or a panic, is the answer of its case alone.
func each[C any](cases []C, op func(C) (any, error)) []any {
	answers := make([]any, len(cases))
	for i, c := range cases {
		answers[i] = func() (reply any) {
			defer func() {
				if cause := recover(); cause != nil {
					reply = map[string]any{"error": fmt.Sprintf("panic: %v", cause)}
				}
			}()
			result, err := op(c)
			if err != nil {
				return map[string]any{"error": err.Error()}
			}
			return result
		}()
	}
	return answers
}

var parsers = map[[32]byte]*typed.Parser{}

func definitionsOf(raw json.RawMessage) (map[string]*spec.Schema, error) {
	definitions := map[string]*spec.Schema{}
	return definitions, json.Unmarshal(raw, &definitions)
}

func parserOf(raw json.RawMessage, preserve bool) (*typed.Parser, error) {
	mark := sha256.Sum256(append([]byte(fmt.Sprintf("%t ", preserve)), raw...))
	if parser, known := parsers[mark]; known {
		return parser, nil
	}
	definitions, err := definitionsOf(raw)
	if err != nil {
		return nil, err
	}
	converted, err := schemaconv.ToSchemaFromOpenAPI(definitions, preserve)
	if err != nil {
		return nil, err
	}
	parser := &typed.Parser{Schema: smdschema.Schema{Types: converted.Types}}
	parsers[mark] = parser
	return parser, nil
}

// decode reads JSON as the API server does: whole numbers are int64.
func decode(raw json.RawMessage) (any, error) {
	var v any
	err := utiljson.Unmarshal(raw, &v)
	return v, err
}

func typedOf(t typed.ParseableType, raw json.RawMessage, options ...typed.ValidationOptions) (*typed.TypedValue, error) {
	v, err := decode(raw)
	if err != nil {
		return nil, err
	}
	return t.FromUnstructured(v, options...)
}

func setOf(raw json.RawMessage) (*fieldpath.Set, error) {
	set := &fieldpath.Set{}
	return set, set.FromJSON(bytes.NewReader(raw))
}

func encodeSet(set *fieldpath.Set) json.RawMessage {
	raw, err := set.ToJSON()
	if err != nil {
		panic(err)
	}
	return raw
}

func smdFieldSet(t typed.ParseableType, c typedCase) (any, error) {
	v, err := typedOf(t, c.Value, typed.AllowDuplicates)
	if err != nil {
		return nil, err
	}
	set, err := v.ToFieldSet()
	if err != nil {
		return nil, err
	}
	return map[string]any{"set": encodeSet(set)}, nil
}

func smdValidate(t typed.ParseableType, c typedCase) (any, error) {
	var options []typed.ValidationOptions
	if c.Duplicates {
		options = append(options, typed.AllowDuplicates)
	}
	_, err := typedOf(t, c.Value, options...)
	errors := []string{}
	if found, ok := err.(typed.ValidationErrors); ok {
		for _, e := range found {
			errors = append(errors, e.Error())
		}
		err = nil
	}
	return map[string]any{"errors": errors}, err
}

func pairOf(t typed.ParseableType, c typedCase) (left, right *typed.TypedValue, err error) {
	if left, err = typedOf(t, c.Left, typed.AllowDuplicates); err != nil {
		return nil, nil, err
	}
	right, err = typedOf(t, c.Right, typed.AllowDuplicates)
	return left, right, err
}

func plain(v *typed.TypedValue) any {
	if v.AsValue() == nil {
		return nil
	}
	return v.AsValue().Unstructured()
}

func smdMerge(t typed.ParseableType, c typedCase) (any, error) {
	left, right, err := pairOf(t, c)
	if err != nil {
		return nil, err
	}
	merged, err := left.Merge(right)
	if err != nil {
		return nil, err
	}
	return map[string]any{"value": plain(merged)}, nil
}

func smdCompare(t typed.ParseableType, c typedCase) (any, error) {
	left, right, err := pairOf(t, c)
	if err != nil {
		return nil, err
	}
	comparison, err := left.Compare(right)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"removed":  encodeSet(comparison.Removed),
		"modified": encodeSet(comparison.Modified),
		"added":    encodeSet(comparison.Added),
	}, nil
}

func smdRemove(t typed.ParseableType, c typedCase) (any, error) {
	v, err := typedOf(t, c.Value, typed.AllowDuplicates)
	if err != nil {
		return nil, err
	}
	set, err := setOf(c.Set)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"removed":   plain(v.RemoveItems(set)),
		"extracted": plain(v.ExtractItems(set)),
		"keyed":     plain(v.ExtractItems(set, typed.WithAppendKeyFields())),
	}, nil
}

func smdNamed(t typed.ParseableType, c typedCase) (any, error) {
	set, err := setOf(c.Set)
	if err != nil {
		return nil, err
	}
	return map[string]any{"set": encodeSet(set.EnsureNamedFieldsAreMembers(t.Schema, t.TypeRef))}, nil
}

func smdReconcile(t typed.ParseableType, c typedCase) (any, error) {
	set, err := setOf(c.Set)
	if err != nil {
		return nil, err
	}
	v := typed.AsTypedUnvalidated(value.NewValueInterface(nil), t.Schema, t.TypeRef)
	reconciled, err := typed.ReconcileFieldSetWithSchema(set, v)
	if err != nil {
		return nil, err
	}
	if reconciled == nil {
		return map[string]any{"set": nil}, nil
	}
	return map[string]any{"set": encodeSet(reconciled)}, nil
}

func smdSets(_ typed.ParseableType, c typedCase) (any, error) {
	a, err := setOf(c.A)
	if err != nil {
		return nil, err
	}
	b, err := setOf(c.B)
	if err != nil {
		return nil, err
	}
	paths := []string{}
	a.Iterate(func(p fieldpath.Path) { paths = append(paths, p.String()) })
	return map[string]any{
		"a":            encodeSet(a),
		"union":        encodeSet(a.Union(b)),
		"intersection": encodeSet(a.Intersection(b)),
		"difference":   encodeSet(a.Difference(b)),
		"recursive":    encodeSet(a.RecursiveDifference(b)),
		"leaves":       encodeSet(a.Leaves()),
		"paths":        paths,
		"size":         a.Size(),
		"equal":        a.Equals(b),
	}, nil
}
