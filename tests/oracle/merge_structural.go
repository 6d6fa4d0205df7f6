package main

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// structural answers what apiextensions-apiserver makes of custom resources: pruned, freed of
// nulls, defaulted, and what is wrong with them. Each case has its own schema
// (openAPIV3Schema), a value, and for updates the value before.
func init() {
	register("structural", structurals)
}

type structuralCase struct {
	Schema     json.RawMessage
	Value, Old json.RawMessage
	Root       bool
}

func structurals(raw json.RawMessage) (any, error) {
	var request struct{ Cases []structuralCase }
	if err := json.Unmarshal(raw, &request); err != nil {
		return nil, err
	}
	return each(request.Cases, structuralAnswer), nil
}

func structuralAnswer(c structuralCase) (any, error) {
	var props apiextensionsv1.JSONSchemaProps
	if err := json.Unmarshal(c.Schema, &props); err != nil {
		return nil, err
	}
	var internal apiextensions.JSONSchemaProps
	err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&props, &internal, nil)
	if err != nil {
		return nil, err
	}
	structural, err := schema.NewStructural(&internal)
	if err != nil {
		return nil, err
	}
	if err := defaulting.PruneDefaults(structural); err != nil {
		return nil, err
	}
	validator, _, err := validation.NewSchemaValidator(&internal)
	if err != nil {
		return nil, err
	}
	value, err := decode(c.Value)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{}
	answer["dropped"] = pruning.PruneWithOptions(value, structural, c.Root,
		schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	answer["pruned"] = copied(value)
	defaulting.PruneNonNullableNullsWithoutDefaults(value, structural)
	answer["freed"] = copied(value)
	defaulting.Default(value, structural)
	answer["defaulted"] = copied(value)
	var found field.ErrorList
	if len(c.Old) > 0 {
		old, err := decode(c.Old)
		if err != nil {
			return nil, err
		}
		found = validation.ValidateCustomResourceUpdate(nil, value, old, validator, validation.WithRatcheting(nil))
	} else {
		found = validation.ValidateCustomResource(nil, value, validator)
	}
	answer["violations"] = told(found)
	if object, ok := value.(map[string]any); ok {
		answer["repeated"] = told(listtype.ValidateListSetsAndMaps(nil, structural, object))
		answer["identity"] = told(objectmeta.Validate(context.Background(), nil, object, structural, false))
	}
	return answer, nil
}

func copied(value any) any {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("cannot encode: %v", err))
	}
	return json.RawMessage(raw)
}

func told(found field.ErrorList) []any {
	listed := []any{}
	for _, violation := range found {
		listed = append(listed, map[string]any{
			"path": violation.Field, "reason": string(violation.Type), "message": violation.ErrorBody(),
		})
	}
	return listed
}
