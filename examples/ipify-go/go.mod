module skiff.example/ipify-go

go 1.22

toolchain go1.27.3
