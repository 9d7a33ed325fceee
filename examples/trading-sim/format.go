package main

import (
	"fmt"
	"strconv"
	"strings"
)

// dollars prints an amount as people write it: $10,245.67.
func dollars(amount float64) string {
	sign := ""
	if amount < 0 {
		sign, amount = "-", -amount
	}
	whole, cents, _ := strings.Cut(fmt.Sprintf("%.2f", amount), ".")
	return sign + "$" + grouped(whole) + "." + cents
}

func thousands(count int) string {
	return grouped(strconv.Itoa(count))
}

// grouped puts a comma before every third digit from the right. The digits carry no sign.
func grouped(digits string) string {
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
