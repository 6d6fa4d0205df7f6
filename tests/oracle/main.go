// Command oracle answers what Kubernetes' own Go libraries make of an input.
//
// It reads JSON lines {"op": NAME, ...} and writes, in the same order, JSON lines
// {"ok": true, "result": ...} or {"ok": false, "error": MESSAGE}. An operation lives in a file of
// its own and registers itself by name:
//
//	func init() { register("merge.json", jsonMerge) }
//
//	func jsonMerge(raw json.RawMessage) (any, error) {
//		var request struct { Target, Patch json.RawMessage }
//		if err := json.Unmarshal(raw, &request); err != nil { return nil, err }
//		...
//	}
//
// raw is the whole request line; the result is encoded with encoding/json, without HTML escapes. A
// panic in an operation is its error.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"
)

type operation func(raw json.RawMessage) (any, error)

type answer struct {
	OK     bool   `json:"ok"`
	Result any    `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

var operations = map[string]operation{}

// register names an operation; a name can be taken once.
func register(name string, op operation) {
	if _, taken := operations[name]; taken {
		panic("operation registered twice: " + name)
	}
	operations[name] = op
}

func init() {
	register("ops", func(json.RawMessage) (any, error) {
		names := make([]string, 0, len(operations))
		for name := range operations {
			names = append(names, name)
		}
		sort.Strings(names)
		return names, nil
	})
}

func perform(raw json.RawMessage) (reply answer) {
	defer func() {
		if cause := recover(); cause != nil {
			reply = answer{Error: fmt.Sprintf("panic: %v", cause)}
		}
	}()
	var request struct {
		Op string `json:"op"`
	}
	if err := json.Unmarshal(raw, &request); err != nil {
		return answer{Error: "request: " + err.Error()}
	}
	op, known := operations[request.Op]
	if !known {
		return answer{Error: fmt.Sprintf("unknown op %q", request.Op)}
	}
	result, err := op(raw)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{OK: true, Result: result}
}

func main() {
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	output := bufio.NewWriterSize(os.Stdout, 1<<20)
	encoder := json.NewEncoder(output)
	encoder.SetEscapeHTML(false)
	for {
		line, err := input.ReadBytes('\n')
		if len(line) > 1 {
			reply := perform(line)
			if failure := encoder.Encode(reply); failure != nil {
				// Nothing of a reply that cannot be encoded has been written.
				failure = encoder.Encode(answer{Error: "reply: " + failure.Error()})
				if failure != nil {
					os.Exit(1)
				}
			}
			// Whoever sends one request at a time waits for its answer.
			if input.Buffered() == 0 {
				if output.Flush() != nil {
					os.Exit(1)
				}
			}
		}
		if err != nil {
			break
		}
	}
	if output.Flush() != nil {
		os.Exit(1)
	}
}
