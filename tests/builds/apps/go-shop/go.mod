module example.com/shop

go 1.24

toolchain go1.27.3

require (
	github.com/go-chi/chi/v5 v5.2.3
	github.com/google/uuid v1.6.0
)
