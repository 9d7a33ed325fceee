package main

import (
	"fmt"
	"io"
	"strings"
)

type command struct {
	help string
	run  func(io.Writer, *portfolio)
}

// The order in which help lists them.
var commandNames = []string{"status", "portfolio", "trades", "prices", "help"}

func commands() map[string]command {
	return map[string]command{
		"status":    {"a summary in five lines", printStatus},
		"portfolio": {"cash and holdings", printPortfolio},
		"trades":    {"the last ten trades", printTrades},
		"prices":    {"prices and their change since the first start", printPrices},
		"help":      {"this list", printHelp},
	}
}

// execute prints the answer to a command; what it does not know it says.
func execute(out io.Writer, sim *simulator, content string) {
	name := strings.ToLower(strings.TrimSpace(content))
	found, ok := commands()[name]
	if !ok {
		fmt.Fprintf(out, "❓ Unknown command: %q. Try: %s\n", content, strings.Join(commandNames, ", "))
		return
	}
	sim.view(func(p *portfolio) { found.run(out, p) })
}

const rule = "────────────────────────────────────────────────────────────────"

func section(out io.Writer, title string, lines ...string) {
	fmt.Fprintf(out, "%s\n%s\n%s\n%s\n%s\n", rule, title, rule, strings.Join(lines, "\n"), rule)
}

func printStatus(out io.Writer, p *portfolio) {
	prices := make([]string, 0, len(p.Markets))
	for _, m := range p.Markets {
		prices = append(prices, fmt.Sprintf("%s: %s", m.Symbol, dollars(m.Price)))
	}
	section(out, "📊 Quick Status Summary",
		fmt.Sprintf("💼 Portfolio Value: %s (%+.2f%%)", dollars(p.value()), p.gainPercent()),
		fmt.Sprintf("📈 Total Trades: %s", thousands(p.TradeCount)),
		"💰 "+strings.Join(prices, " | "),
		fmt.Sprintf("🌐 Feed: simulated (%s ticks)", thousands(p.Ticks)),
	)
}

func printPortfolio(out io.Writer, p *portfolio) {
	lines := []string{fmt.Sprintf("💵 Cash: %s", dollars(p.Cash))}
	for _, m := range p.Markets {
		held := p.Holdings[m.Symbol]
		lines = append(lines, fmt.Sprintf("🪙 %s: %.6f (%s)", m.Symbol, held, dollars(held*m.Price)))
	}
	lines = append(lines, fmt.Sprintf("💼 Total: %s (%+.2f%%)", dollars(p.value()), p.gainPercent()))
	section(out, "💼 Portfolio", lines...)
}

func printTrades(out io.Writer, p *portfolio) {
	const shown = 10
	last := p.Trades[max(0, len(p.Trades)-shown):]
	lines := make([]string, 0, shown)
	for _, t := range last {
		lines = append(lines, t.Time.UTC().Format("15:04:05")+"  "+t.describe())
	}
	if len(lines) == 0 {
		lines = append(lines, "None yet: it waits for a price to leave its average.")
	}
	section(out, fmt.Sprintf("📈 Trades (%d of %s)", len(last), thousands(p.TradeCount)), lines...)
}

func printPrices(out io.Writer, p *portfolio) {
	lines := make([]string, 0, len(p.Markets))
	for _, m := range p.Markets {
		lines = append(lines, fmt.Sprintf("💰 %s: %s (%+.2f%%, average %s)",
			m.Symbol, dollars(m.Price), m.changePercent(), dollars(m.Average)))
	}
	section(out, "💰 Prices", lines...)
}

func printHelp(out io.Writer, _ *portfolio) {
	lines := make([]string, 0, len(commandNames))
	for _, name := range commandNames {
		lines = append(lines, fmt.Sprintf("%-10s %s", name, commands()[name].help))
	}
	section(out, "📖 Commands", lines...)
}

func (t trade) describe() string {
	verb, amount := "bought", t.Amount
	if amount < 0 {
		verb, amount = "sold", -amount
	}
	return fmt.Sprintf("%s %.6f %s at %s", verb, amount, t.Symbol, dollars(t.Price))
}
