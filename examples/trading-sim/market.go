package main

import "math/rand/v2"

// A market moves its price at random around a slow average, which is what the strategy trades on.
type market struct {
	Symbol string  `json:"symbol"`
	Price  float64 `json:"price"`
	// Average of the recent past; it follows the price slowly.
	Average float64 `json:"average"`
	// The price at the first start, for the change since.
	Opening float64 `json:"opening"`
}

const (
	// The size of a usual move a tick, relative to the price.
	volatility = 0.0015
	// How strongly the price is drawn back to its opening: without, it would wander off for good.
	pull = 0.0005
	// The weight of a new price in the average: about the last 30 ticks.
	smoothing = 1.0 / 30
)

func newMarket(symbol string, price float64) *market {
	return &market{Symbol: symbol, Price: price, Average: price, Opening: price}
}

func (m *market) move() {
	drift := pull * (m.Opening - m.Price) / m.Opening
	m.Price *= 1 + drift + volatility*rand.NormFloat64()
	m.Average += smoothing * (m.Price - m.Average)
}

// changePercent is the change since the first start.
func (m *market) changePercent() float64 {
	return 100 * (m.Price - m.Opening) / m.Opening
}
