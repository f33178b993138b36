# The image of Extant. Where the build may not reach a Go module proxy, run
# "go mod vendor" before: with vendor/ nothing is downloaded.
FROM golang:1.26 AS build
WORKDIR /src
COPY . .
ARG VERSION=v0.1.0
ENV GOMODCACHE=/cache/modules GOCACHE=/cache/build
RUN --mount=type=cache,target=/cache \
    GOFLAGS=-buildvcs=false make build VERSION=${VERSION}

# Static: no shell, no package manager, certificate authorities for the backends
# that are URLs.
FROM gcr.io/distroless/static:nonroot
COPY --from=build /src/bin/extant-apiserver /usr/local/bin/extant-apiserver
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/extant-apiserver"]
