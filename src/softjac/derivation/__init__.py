"""The mathematics of softmax and cross-entropy as data, which checks itself and is written in several formats."""
