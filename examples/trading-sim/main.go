// Command trading-sim trades BTC and ETH with itself: prices are simulated, nothing leaves the container.
// It answers commands by printing to its log, as Hersh programs do.
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	stateFile   = "/state/portfolio.json"
	tickEvery   = time.Second
	saveEvery   = 10 * time.Second
	stopTimeout = 2 * time.Second
)

func main() {
	log.SetFlags(log.Ltime)
	// SIGTERM is how the host stops a program. The first process of a container gets no default handling.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	sim, err := newSimulator(stateFile)
	if err != nil {
		log.Fatalf("can not read the portfolio: %v", err)
	}
	server := &http.Server{Addr: ":8080", Handler: newWatcherAPI(sim), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	log.Printf("trading-sim listens on 8080 with a portfolio of %s", dollars(sim.value()))

	run(ctx, sim, failed)

	if err := sim.save(); err != nil {
		log.Printf("the portfolio could not be saved: %v", err)
	}
	closing, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	_ = server.Shutdown(closing)
	log.Printf("stopped with a portfolio of %s", dollars(sim.value()))
}

// run moves the market until the context ends or the server fails.
func run(ctx context.Context, sim *simulator, failed <-chan error) {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	save := time.NewTicker(saveEvery)
	defer save.Stop()
	for {
		select {
		case <-tick.C:
			sim.step()
		case <-save.C:
			if err := sim.save(); err != nil {
				log.Printf("the portfolio could not be saved: %v", err)
			}
		case err := <-failed:
			if !errors.Is(err, http.ErrServerClosed) {
				log.Printf("the server failed: %v", err)
				os.Exit(1)
			}
		case <-ctx.Done():
			return
		}
	}
}
