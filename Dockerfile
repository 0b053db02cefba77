# A static binary and nothing else: no shell, no package manager, no root.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o /out/loka ./cmd/loka

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/loka /loka
USER 65532:65532
# The policy is mounted at /etc/loka; its admin block is what the health check asks.
EXPOSE 3333 9464
HEALTHCHECK --interval=15s --timeout=6s --start-period=5s CMD ["/loka", "health"]
ENTRYPOINT ["/loka"]
CMD ["run", "--config", "/etc/loka"]
