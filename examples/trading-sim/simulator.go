package main

import (
	"log"
	"sync"
	"time"
)

const (
	// How far a price must be from its average before it is worth a trade, relative to the average.
	threshold = 0.004
	// The part of the cash, or of a holding, that one trade moves.
	tradePart = 0.25
	// Smaller trades than this many dollars are not done.
	tradeDollarsMin = 10.0
)

// A simulator owns the portfolio; its methods may be called from any goroutine.
type simulator struct {
	mu        sync.Mutex
	portfolio *portfolio
	file      string
	startedAt time.Time
	updatedAt time.Time
}

func newSimulator(file string) (*simulator, error) {
	loaded, err := loadPortfolio(file)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &simulator{portfolio: loaded, file: file, startedAt: now, updatedAt: now}, nil
}

// step moves every market once and trades where it pays: buy under the average, sell above it.
func (s *simulator) step() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.updatedAt = time.Now()
	p := s.portfolio
	p.Ticks++
	for _, m := range p.Markets {
		m.move()
		away := (m.Price - m.Average) / m.Average
		var amount float64
		switch {
		case away < -threshold:
			amount = tradePart * p.Cash / m.Price
		case away > threshold:
			amount = -tradePart * p.Holdings[m.Symbol]
		}
		if amount*m.Price > -tradeDollarsMin && amount*m.Price < tradeDollarsMin {
			continue
		}
		done := trade{Time: s.updatedAt, Symbol: m.Symbol, Amount: amount, Price: m.Price}
		p.record(done)
		log.Print(done.describe())
	}
}

func (s *simulator) save() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.portfolio.save(s.file)
}

func (s *simulator) value() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.portfolio.value()
}

// view calls look with the portfolio while nothing moves.
func (s *simulator) view(look func(*portfolio)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	look(s.portfolio)
}

func (s *simulator) times() (startedAt, updatedAt time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.startedAt, s.updatedAt
}
