package main

import (
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// smd.manager runs writes of several managers through apimachinery's field manager, each on the
// object the one before left; a write that fails leaves it as it was. smd.csaupgrade turns the
// entries of client-side appliers into those of a server-side one.
func init() {
	register("smd.manager", managerRuns)
	register("smd.csaupgrade", csaUpgrades)
}

type managerRun struct {
	Kind string
	// Names of the fields below spec, by version: [version][canonical name] = name there.
	Versions map[string]map[string]string
	Hub      string
	// Reset says by version which fields a write never owns; Include turns it around.
	Reset   map[string]json.RawMessage
	Include map[string][][]any
	Steps   []managerStep
}

type managerStep struct {
	Write       string // apply or update
	APIVersion  string
	Manager     string
	Subresource string
	Force       bool
	Time        string
	Object      json.RawMessage
}

func managerRuns(raw json.RawMessage) (any, error) {
	var request struct {
		Definitions json.RawMessage
		Preserve    bool
		Cases       []managerRun
	}
	if err := json.Unmarshal(raw, &request); err != nil {
		return nil, err
	}
	types := managedfields.NewDeducedTypeConverter()
	if len(request.Definitions) > 0 {
		definitions, err := definitionsOf(request.Definitions)
		if err != nil {
			return nil, err
		}
		if types, err = managedfields.NewTypeConverter(definitions, request.Preserve); err != nil {
			return nil, err
		}
	}
	return each(request.Cases, func(run managerRun) (any, error) { return run.play(types) }), nil
}

func (run managerRun) play(types managedfields.TypeConverter) (any, error) {
	hub, err := schema.ParseGroupVersion(run.Hub)
	if err != nil {
		return nil, err
	}
	world := versionedWorld{names: run.Versions}
	reset, err := run.filters()
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	var live *unstructured.Unstructured
	answers := []any{}
	for _, step := range run.Steps {
		version, err := schema.ParseGroupVersion(step.APIVersion)
		if err != nil {
			return nil, err
		}
		kind := version.WithKind(run.Kind)
		manager, err := managedfields.NewDefaultCRDFieldManager(
			types, world, world, world, kind, hub, step.Subresource, reset)
		if err != nil {
			return nil, err
		}
		current := live
		if current == nil {
			current = emptyOf(kind)
		}
		content := map[string]any{}
		decoded, err := decode(step.Object)
		if err != nil {
			return nil, err
		}
		if decoded != nil {
			content = decoded.(map[string]any)
		}
		given := &unstructured.Unstructured{Object: content}
		noteTimes(given, known)
		var written runtime.Object
		if step.Write == "apply" {
			written, err = manager.Apply(current.DeepCopy(), given, step.Manager, step.Force)
		} else {
			written, err = manager.Update(current.DeepCopy(), given, step.Manager)
		}
		if err != nil {
			answers = append(answers, failure(err))
			continue
		}
		// An update is returned at its own version, an apply at the hub's.
		stored, err := world.ConvertToVersion(written, hub)
		if err != nil {
			return nil, err
		}
		object := stored.(*unstructured.Unstructured)
		if err := settle(object, step.Time, known); err != nil {
			return nil, err
		}
		live = object
		answers = append(answers, map[string]any{"object": object.DeepCopy().Object})
	}
	return answers, nil
}

func (run managerRun) filters() (map[fieldpath.APIVersion]fieldpath.Filter, error) {
	filters := map[fieldpath.APIVersion]fieldpath.Filter{}
	for version, raw := range run.Reset {
		set, err := setOf(raw)
		if err != nil {
			return nil, err
		}
		filters[fieldpath.APIVersion(version)] = fieldpath.NewExcludeSetFilter(set)
	}
	for version, patterns := range run.Include {
		matchers := []*fieldpath.SetMatcher{}
		for _, pattern := range patterns {
			for i, part := range pattern {
				if part == "*" {
					pattern[i] = fieldpath.MatchAnyPathElement()
				}
			}
			matcher, err := fieldpath.PrefixMatcher(pattern...)
			if err != nil {
				return nil, err
			}
			matchers = append(matchers, matcher)
		}
		filters[fieldpath.APIVersion(version)] = fieldpath.NewIncludeMatcherFilter(matchers...)
	}
	if len(filters) == 0 {
		return nil, nil
	}
	return filters, nil
}

func failure(err error) any {
	answer := map[string]any{"error": err.Error()}
	status, ok := err.(apierrors.APIStatus)
	if !ok {
		return answer
	}
	answer["code"] = status.Status().Code
	if apierrors.IsConflict(err) && status.Status().Details != nil {
		causes := []any{}
		for _, cause := range status.Status().Details.Causes {
			causes = append(causes, map[string]any{"message": cause.Message, "field": cause.Field})
		}
		answer["conflicts"] = causes
	}
	return answer
}

func noteTimes(object *unstructured.Unstructured, known map[string]bool) {
	for _, entry := range object.GetManagedFields() {
		if entry.Time != nil {
			known[entry.Time.UTC().Format(time.RFC3339)] = true
		}
	}
}

// settle puts the time of the step where the field manager wrote the time of day.
func settle(object *unstructured.Unstructured, at string, known map[string]bool) error {
	moment, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return err
	}
	known[at] = true
	entries := object.GetManagedFields()
	for i := range entries {
		if entries[i].Time != nil && !known[entries[i].Time.UTC().Format(time.RFC3339)] {
			entries[i].Time = &metav1.Time{Time: moment}
		}
	}
	if entries != nil {
		object.SetManagedFields(entries)
	}
	return nil
}

func emptyOf(kind schema.GroupVersionKind) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{}}
	object.SetGroupVersionKind(kind)
	return object
}

// versionedWorld converts between versions that name the fields of spec differently.
type versionedWorld struct {
	names map[string]map[string]string
}

func (w versionedWorld) Default(runtime.Object) {}

func (w versionedWorld) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	return &unstructured.Unstructured{Object: map[string]any{}}, nil
}

func (w versionedWorld) Convert(in, out, context any) error {
	return fmt.Errorf("conversion in place is not used")
}

func (w versionedWorld) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

func (w versionedWorld) ConvertToVersion(in runtime.Object, target runtime.GroupVersioner) (runtime.Object, error) {
	object := in.(*unstructured.Unstructured).DeepCopy()
	from := object.GroupVersionKind()
	to, ok := target.KindForGroupVersionKinds([]schema.GroupVersionKind{from})
	if !ok {
		to = target.(schema.GroupVersion).WithKind(from.Kind)
	}
	before, known := w.names[from.GroupVersion().String()]
	after, wanted := w.names[to.GroupVersion().String()]
	if !known || !wanted {
		return nil, runtime.NewNotRegisteredGVKErrForTarget("oracle", from, target)
	}
	if spec, ok := object.Object["spec"].(map[string]any); ok {
		moved := map[string]any{}
		for canonical, name := range before {
			if value, present := spec[name]; present {
				delete(spec, name)
				moved[after[canonical]] = value
			}
		}
		for name, value := range moved {
			spec[name] = value
		}
	}
	object.SetGroupVersionKind(to)
	return object, nil
}

func csaUpgrades(raw json.RawMessage) (any, error) {
	type upgrade struct {
		ManagedFields []metav1.ManagedFieldsEntry
		From          []string
		To            string
		Subresource   string
	}
	var request struct{ Cases []upgrade }
	if err := json.Unmarshal(raw, &request); err != nil {
		return nil, err
	}
	return each(request.Cases, func(c upgrade) (any, error) {
		object := &metav1.PartialObjectMetadata{}
		object.ManagedFields = c.ManagedFields
		err := csaupgrade.UpgradeManagedFields(
			object, sets.New(c.From...), c.To, csaupgrade.Subresource(c.Subresource))
		return map[string]any{"managedFields": object.ManagedFields}, err
	}), nil
}
