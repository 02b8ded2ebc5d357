//go:build heroku

package main

const tags = "heroku"
