// A mixture of two Gaussians in two dimensions, normalised: 0.4 N((-3, 0), 1) + 0.6 N((3, 1), diag(0.25, 2.25)).
parameters {
  vector[2] x;
}
model {
  target += log_mix(0.4, normal_lpdf(x[1] | -3, 1) + normal_lpdf(x[2] | 0, 1),
                         normal_lpdf(x[1] | 3, 0.5) + normal_lpdf(x[2] | 1, 1.5));
}
