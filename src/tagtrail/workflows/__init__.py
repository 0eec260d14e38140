"""The roads: release, carry, render, audit, each as plain lines over its steps."""
