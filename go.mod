module github.com/loka-proxy/loka

go 1.26
