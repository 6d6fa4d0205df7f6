package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

func init() {
	register("yaml.objects", yamlObjects)
	register("yaml.values", yamlValues)
	register("yaml.marshal", yamlMarshal)
	register("json.marshal", jsonMarshal)
}

type yamlRequest struct {
	// Text is the input; Data, if given, is the same in base64 (input that is not UTF-8).
	Text string
	Data []byte
}

// stream opens the input as kubectl opens a file: a byte order mark chooses the encoding.
func (r yamlRequest) stream() *utilyaml.YAMLOrJSONDecoder {
	data := r.Data
	if data == nil {
		data = []byte(r.Text)
	}
	decoded := transform.NewReader(
		bytes.NewReader(data), unicode.BOMOverride(unicode.UTF8.NewDecoder()))
	return utilyaml.NewYAMLOrJSONDecoder(decoded, 4096)
}

type yamlResult struct {
	// Values are what was read before the first error.
	Values []any `json:"values"`
	// Problem is the error, if there was one.
	Problem string `json:"problem,omitempty"`
}

// rawDocuments gives each document that is not empty as JSON.
func rawDocuments(raw json.RawMessage, visit func(document []byte) error) (string, error) {
	var request yamlRequest
	if err := json.Unmarshal(raw, &request); err != nil {
		return "", err
	}
	decoder := request.stream()
	for {
		document := runtime.RawExtension{}
		if err := decoder.Decode(&document); err == io.EOF {
			return "", nil
		} else if err != nil {
			return "error parsing: " + err.Error(), nil
		}
		content := bytes.TrimSpace(document.Raw)
		if len(content) == 0 || bytes.Equal(content, []byte("null")) {
			continue
		}
		if err := visit(content); err != nil {
			return "unable to decode: " + err.Error(), nil
		}
	}
}

// yamlValues gives the JSON value of every document, whatever its type.
func yamlValues(raw json.RawMessage) (any, error) {
	result := yamlResult{Values: []any{}}
	problem, err := rawDocuments(raw, func(document []byte) error {
		var value any
		if err := utiljson.Unmarshal(document, &value); err != nil {
			return err
		}
		result.Values = append(result.Values, value)
		return nil
	})
	result.Problem = problem
	return result, err
}

// The part of an object that kubectl insists on when it reads a file.
type typedMetadata struct {
	metav1.TypeMeta   `json:""`
	metav1.ObjectMeta `json:"metadata,omitempty"`
}

// yamlObjects gives the objects kubectl finds in a file: lists taken apart, metadata of the right
// types. (A list inside a list is an error, as it is there.)
func yamlObjects(raw json.RawMessage) (any, error) {
	result := yamlResult{Values: []any{}}
	problem, err := rawDocuments(raw, func(document []byte) error {
		object, _, err := unstructured.UnstructuredJSONScheme.Decode(document, nil, nil)
		if err != nil {
			return err
		}
		if err := utiljson.Unmarshal(document, &typedMetadata{}); err != nil {
			return err
		}
		if !meta.IsListType(object) {
			result.Values = append(result.Values, object)
			return nil
		}
		items, err := meta.ExtractList(object)
		if err != nil {
			return err
		}
		for _, item := range items {
			if meta.IsListType(item) {
				if _, err := meta.ExtractList(item); err != nil {
					return err
				}
				return fmt.Errorf("a list inside a list")
			}
			result.Values = append(result.Values, item)
		}
		return nil
	})
	result.Problem = problem
	return result, err
}

// yamlMarshal writes a JSON value as kubectl -o yaml does.
func yamlMarshal(raw json.RawMessage) (any, error) {
	var request struct{ Value json.RawMessage }
	if err := json.Unmarshal(raw, &request); err != nil {
		return nil, err
	}
	var value any
	if err := utiljson.Unmarshal(request.Value, &value); err != nil {
		return nil, err
	}
	text, err := yaml.Marshal(value)
	return string(text), err
}

// jsonMarshal writes a JSON value as kubectl -o json does.
func jsonMarshal(raw json.RawMessage) (any, error) {
	var request struct{ Value json.RawMessage }
	if err := json.Unmarshal(raw, &request); err != nil {
		return nil, err
	}
	var value any
	if err := utiljson.Unmarshal(request.Value, &value); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(value, "", "    ")
	return string(text), err
}
