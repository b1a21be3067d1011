// Logistic regression with a standard deviation for the coefficients, so that a parameter is constrained.
data {
  int<lower=0> N;
  int<lower=1> K;
  matrix[N, K] X;
  array[N] int<lower=0, upper=1> y;
}
parameters {
  real intercept;
  vector[K] beta;
  real<lower=0> scale;
}
model {
  intercept ~ normal(0, 5);
  scale ~ normal(0, 2);
  beta ~ normal(0, scale);
  // stanli 0.24 takes no empty array of integers.
  if (N > 0) y ~ bernoulli_logit(intercept + X * beta);
}
generated quantities {
  real odds = exp(beta[1]);
  int heads = bernoulli_logit_rng(intercept);
}
