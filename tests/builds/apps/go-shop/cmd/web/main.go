// The shop's page.
package main

import (
	"fmt"
	"net/http"
	"os"
	"runtime"

	"example.com/shop/internal/order"
	"github.com/go-chi/chi/v5"
)

var version = "unknown"

func main() {
	router := chi.NewRouter()
	router.Get("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "order %s from the shop\n", order.New())
	})
	router.Get("/about", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "go=%s version=%s memory=%s tags=%s\n", runtime.Version(), version, os.Getenv("GOMEMLIMIT"), tags)
	})
	if err := http.ListenAndServe(":"+os.Getenv("PORT"), router); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
