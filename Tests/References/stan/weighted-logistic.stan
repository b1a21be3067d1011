// The same with one flag for the prior, for data that come in shards.
data {
  int<lower=0> N;
  int<lower=1> K;
  matrix[N, K] X;
  array[N] int<lower=0, upper=1> y;
  real<lower=0, upper=1> prior_weight;
}
parameters {
  real intercept;
  vector[K] beta;
}
model {
  target += prior_weight * (normal_lpdf(intercept | 0, 5) + normal_lpdf(beta | 0, 1));
  y ~ bernoulli_logit(intercept + X * beta);
}
