// Counts in groups: varying intercepts with a learned scale, non-centred.
data {
  int<lower=0> N;
  int<lower=1> J;
  array[N] int<lower=1, upper=J> group;
  vector[N] x;
  array[N] int<lower=0> y;
}
parameters {
  real intercept;
  real slope;
  real<lower=0> tau;
  vector[J] z;
}
model {
  intercept ~ normal(0, 2);
  slope ~ normal(0, 1);
  tau ~ normal(0, 1);
  z ~ std_normal();
  y ~ poisson_log(intercept + slope * x + tau * z[group]);
}
