//go:build !heroku

package main

const tags = "none"
