module kapply.dev/tests/bench/goload

go 1.26
