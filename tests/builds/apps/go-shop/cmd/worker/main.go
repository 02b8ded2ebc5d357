// Packs what was ordered.
package main

import (
	"fmt"
	"time"

	"example.com/shop/internal/order"
)

func main() {
	fmt.Println("packed", order.New())
	time.Sleep(time.Hour)
}
