package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"
)

// A trade that was done. Amount is in units of the symbol; a negative one was a sale.
type trade struct {
	Time   time.Time `json:"time"`
	Symbol string    `json:"symbol"`
	Amount float64   `json:"amount"`
	Price  float64   `json:"price"`
}

// A portfolio is all that outlives a restart.
type portfolio struct {
	Cash     float64            `json:"cash"`
	Holdings map[string]float64 `json:"holdings"`
	Markets  []*market          `json:"markets"`
	// The newest last; only the last tradesKept are kept, TradeCount counts them all.
	Trades     []trade `json:"trades"`
	TradeCount int     `json:"tradeCount"`
	Ticks      int     `json:"ticks"`
}

const (
	openingCash = 10_000.0
	tradesKept  = 50
)

func newPortfolio() *portfolio {
	return &portfolio{
		Cash:     openingCash,
		Holdings: map[string]float64{},
		Markets:  []*market{newMarket("BTC", 71_250), newMarket("ETH", 2_078.5)},
	}
}

// loadPortfolio reads what the last run saved; the first one starts afresh.
func loadPortfolio(file string) (*portfolio, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return newPortfolio(), nil
	}
	if err != nil {
		return nil, err
	}
	loaded := newPortfolio()
	if err := json.Unmarshal(data, loaded); err != nil {
		return nil, err
	}
	return loaded, nil
}

// save writes a second file and renames it: a crash leaves the old portfolio or the new one, never half of one.
func (p *portfolio) save(file string) error {
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	temporary := file + ".new"
	if err := os.WriteFile(temporary, data, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, file)
}

func (p *portfolio) value() float64 {
	total := p.Cash
	for _, m := range p.Markets {
		total += p.Holdings[m.Symbol] * m.Price
	}
	return total
}

func (p *portfolio) gainPercent() float64 {
	return 100 * (p.value() - openingCash) / openingCash
}

func (p *portfolio) record(t trade) {
	p.Cash -= t.Amount * t.Price
	p.Holdings[t.Symbol] += t.Amount
	p.TradeCount++
	p.Trades = append(p.Trades, t)
	if len(p.Trades) > tradesKept {
		p.Trades = p.Trades[len(p.Trades)-tradesKept:]
	}
}
