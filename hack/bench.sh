#!/usr/bin/env bash
# Measures: the built server (start-up, memory, throughput) and the engines on a
# large synthetic cluster that is fed through the real informer path.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
go test -run '^$' -bench 'BenchmarkStart' -benchtime 3x ./test/bench
go test -run '^$' -bench 'BenchmarkServe' ./test/bench
go test -run '^$' -bench . -benchmem ./internal/inventory ./internal/cluster ./internal/dump ./internal/requestpath ./internal/outage ./internal/finding
# 2,000 backends for one interval, and their death.
go test -run '^$' -bench 'BenchmarkProbe' -benchmem -benchtime 2000x ./internal/controller/prober
go test -run '^$' -bench 'BenchmarkBackends' -benchtime 1x ./internal/controller/prober
# As the server sets it: pkg/apiserver/memory.go.
GOGC=50 go test -run '^$' -bench . -benchmem -benchtime 20x -timeout 20m ./internal/observe
