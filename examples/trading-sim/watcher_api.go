package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"time"
)

const messageBytesMax = 64 * 1024

// newWatcherAPI serves what every Hersh program serves on 8080. A program made with the framework gets it from
// the framework; written out here, it shows how little the host asks for.
func newWatcherAPI(sim *simulator) http.Handler {
	routes := http.NewServeMux()

	routes.HandleFunc("GET /watcher/status", func(w http.ResponseWriter, _ *http.Request) {
		startedAt, updatedAt := sim.times()
		answer(w, http.StatusOK, map[string]any{
			"state":      "Ready",
			"isRunning":  true,
			"watcherID":  watcherID(),
			"uptime":     time.Since(startedAt).Truncate(time.Second).String(),
			"lastUpdate": updatedAt.UTC().Format(time.RFC3339Nano),
		})
	})

	routes.HandleFunc("POST /watcher/message", func(w http.ResponseWriter, r *http.Request) {
		var message struct {
			Content string `json:"content"`
		}
		body := http.MaxBytesReader(w, r.Body, messageBytesMax)
		if err := json.NewDecoder(body).Decode(&message); err != nil || message.Content == "" {
			answer(w, http.StatusBadRequest, map[string]any{"error": `a JSON body with "content" is required`})
			return
		}
		// In one piece, so that a trade at the same moment does not land in the middle.
		var out bytes.Buffer
		execute(&out, sim, message.Content)
		_, _ = os.Stdout.Write(out.Bytes())
		answer(w, http.StatusOK, map[string]any{"status": "message sent"})
	})

	return routes
}

// The host tells each program its id.
func watcherID() string {
	if id := os.Getenv("HERSH_PROGRAM_ID"); id != "" {
		return id
	}
	return "trading-sim"
}

func answer(w http.ResponseWriter, code int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
