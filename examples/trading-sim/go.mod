module trading-sim

go 1.24
