// Load sends the same requests over the same number of connections as kapply does, and nothing
// else: what a create costs on this machine without reading, checking or reporting anything.
//
//	load SERVER CA TOKEN_FILE CONNECTIONS < requests.jsonl
//
// Each line of the input is {"path": "/api/...?fieldManager=...", "body": "..."}; each is a
// PATCH of a server-side apply. The exit code is 1 when an answer is not 2xx.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

type request struct {
	Path string `json:"path"`
	Body string `json:"body"`
}

func main() {
	if len(os.Args) != 5 {
		fail("usage: load SERVER CA TOKEN_FILE CONNECTIONS < requests.jsonl")
	}
	started := time.Now()
	server, token := os.Args[1], strings.TrimSpace(string(read(os.Args[3])))
	connections, err := strconv.Atoi(os.Args[4])
	if err != nil || connections < 1 {
		fail("CONNECTIONS is a number from 1")
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(read(os.Args[2])) {
		fail("no certificate in the CA file")
	}
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		// HTTP/1.1, as kapply speaks: a connection carries one request at a time.
		TLSNextProto:        map[string]func(string, *tls.Conn) http.RoundTripper{},
		MaxConnsPerHost:     connections,
		MaxIdleConnsPerHost: connections,
	}}
	queue := make(chan request)
	failures := make(chan string, connections)
	var group sync.WaitGroup
	for range connections {
		group.Add(1)
		go func() {
			defer group.Done()
			for one := range queue {
				if message := send(client, server, token, one); message != "" {
					select {
					case failures <- message:
					default:
					}
				}
			}
		}()
	}
	count := 0
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 0, 1<<20), 16<<20)
	for lines.Scan() {
		var one request
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			fail(err.Error())
		}
		queue <- one
		count++
	}
	close(queue)
	group.Wait()
	select {
	case message := <-failures:
		fail(message)
	default:
	}
	fmt.Printf("%d requests in %.2f s\n", count, time.Since(started).Seconds())
}

func send(client *http.Client, server, token string, one request) string {
	call, err := http.NewRequest(http.MethodPatch, server+one.Path, bytes.NewReader([]byte(one.Body)))
	if err != nil {
		return err.Error()
	}
	call.Header.Set("Authorization", "Bearer "+token)
	call.Header.Set("Content-Type", "application/apply-patch+yaml")
	call.Header.Set("Accept", "application/json")
	answer, err := client.Do(call)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err.Error()
	}
	if answer.StatusCode >= 300 {
		return string(body)
	}
	return ""
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		fail(err.Error())
	}
	return data
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(1)
}
