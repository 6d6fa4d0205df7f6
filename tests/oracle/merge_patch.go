package main

import (
	"encoding/json"
	"fmt"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// patch.* make and apply patches: strategic ones by OpenAPI definitions ("definitions", "type") or
// by a Go type ("struct"), JSON Merge Patches and JSON Patches.
func init() {
	register("patch.strategic", patches(func(meta strategicpatch.LookupPatchMeta, c patchCase) ([]byte, error) {
		return strategicpatch.StrategicMergePatchUsingLookupPatchMeta(c.Original, c.Patch, meta)
	}))
	register("patch.strategic.two", patches(func(meta strategicpatch.LookupPatchMeta, c patchCase) ([]byte, error) {
		return strategicpatch.CreateTwoWayMergePatchUsingLookupPatchMeta(c.Original, c.Modified, meta)
	}))
	register("patch.strategic.three", patches(func(meta strategicpatch.LookupPatchMeta, c patchCase) ([]byte, error) {
		return strategicpatch.CreateThreeWayMergePatch(c.Original, c.Modified, c.Current, meta, c.Overwrite)
	}))
	register("patch.merge", patches(func(_ strategicpatch.LookupPatchMeta, c patchCase) ([]byte, error) {
		return jsonpatch.MergePatch(c.Original, c.Patch)
	}))
	register("patch.merge.two", patches(func(_ strategicpatch.LookupPatchMeta, c patchCase) ([]byte, error) {
		return jsonpatch.CreateMergePatch(c.Original, c.Modified)
	}))
	register("patch.merge.three", patches(func(_ strategicpatch.LookupPatchMeta, c patchCase) ([]byte, error) {
		return jsonmergepatch.CreateThreeWayJSONMergePatch(c.Original, c.Modified, c.Current)
	}))
	register("patch.json", patches(func(_ strategicpatch.LookupPatchMeta, c patchCase) ([]byte, error) {
		patch, err := jsonpatch.DecodePatch(c.Patch)
		if err != nil {
			return nil, err
		}
		return patch.Apply(c.Original)
	}))
}

type patchCase struct {
	Original, Modified, Current, Patch json.RawMessage
	Overwrite                          bool
}

var structs = map[string]any{
	"Deployment":  appsv1.Deployment{},
	"StatefulSet": appsv1.StatefulSet{},
	"Pod":         corev1.Pod{},
	"Service":     corev1.Service{},
}

func patches(op func(strategicpatch.LookupPatchMeta, patchCase) ([]byte, error)) operation {
	return func(raw json.RawMessage) (any, error) {
		var request struct {
			Definitions  json.RawMessage
			Type, Struct string
			Cases        []patchCase
		}
		if err := json.Unmarshal(raw, &request); err != nil {
			return nil, err
		}
		var meta strategicpatch.LookupPatchMeta
		if request.Struct != "" {
			found, err := strategicpatch.NewPatchMetaFromStruct(structs[request.Struct])
			if err != nil {
				return nil, err
			}
			meta = found
		} else if len(request.Definitions) > 0 {
			definitions, err := definitionsOf(request.Definitions)
			if err != nil {
				return nil, err
			}
			if definitions[request.Type] == nil {
				return nil, fmt.Errorf("no definition of %q", request.Type)
			}
			meta = strategicpatch.PatchMetaFromOpenAPIV3{
				SchemaList: definitions, Schema: definitions[request.Type],
			}
		}
		return each(request.Cases, func(c patchCase) (any, error) {
			result, err := op(meta, c)
			if err != nil {
				return nil, err
			}
			return map[string]any{"value": json.RawMessage(result)}, nil
		}), nil
	}
}
